/** What `whittle --help` prints: every option that works, and no other. */
export const usage = `Whittle quantizes the weights of trained networks in ONNX files and says what that cost, layer by layer.

whittle inspect  MODEL [--json]
whittle quantize MODEL [-o OUT.onnx] [options]
whittle evaluate MODEL --data SPEC.json[#ID] [--against FLOAT.onnx] [--samples N] [--as-run] [--max-drop X] [--json]

What to do
  --bits 1|2|3|4|8              bits of a weight (4)
  --method maly-saab|msq        move weights inside the kernel of the data, then round; or only round (maly-saab)
  --variant auto|cell|range     cell keeps every weight within a step of itself; range is the paper to the letter (auto = cell)
  --alphabet auto|affine|full|symmetric|midrise
  --radius auto|max|mse         of the alphabets: the largest weight, or least squared error (auto = mse)
  --per-tensor                  one alphabet a layer instead of one a neuron
  --inputs quantized|float      what a layer is fitted on: the network quantized so far, or the float one (quantized)
  --target quantized            what a layer is asked to match: its own float weights on those inputs
  --format auto|qdq|packed      DequantizeLinear, or packed bytes in operators every runtime has (auto)
  --layer 'GLOB=BITS[:METHOD]'  another width for some layers, or keep; repeatable, the last match wins
  --exclude GLOB                leave layers as they are; repeatable
On which data
  --data SPEC.json[#ID]         a data file; or
  --calibration FILE.npy        an array whose first axis counts samples
  --samples N                   the first N
  --synthetic                   fit on made-up inputs too; without data they are only measured on
  --dim NAME=N                  size of a free dimension of made-up inputs; repeatable
What comes out
  -o, --output OUT.onnx         the copy (MODEL with .w4.onnx, the bits, before the end)
  --overwrite                   replace OUT; the model itself is never replaced
  --report FILE.json            the account as data; repeatable
  --json                        the same on standard output, and nothing else there
  --dry-run                     layers, bytes and what is left alone; no fit, no file
  --threads N, --seed N

Exit codes: 0 done, 1 a failure (one line on standard error), 2 bad usage, 130 interrupted.
`;
