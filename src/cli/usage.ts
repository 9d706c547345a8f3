/** What `whittle --help` prints: every option that works, and no other. */
export const usage = `Whittle quantizes the weights of trained networks in ONNX files and says what that cost, layer by layer.

whittle inspect  MODEL [--json]
whittle quantize MODEL [-o OUT.onnx] [options]
whittle evaluate MODEL --data SPEC.json[#ID] [--against FLOAT.onnx] [--samples N] [--as-run] [--max-drop X] [--json]
whittle compare  A.onnx B.onnx [--data SPEC.json[#ID]] [--samples N] [--dim NAME=N] [--json]
whittle bench    [CASE…] [--threads 1,2] [--against numpy] [--json]

What to do
  --bits 1|2|3|4|8              bits of a weight (4)
  --method NAME                 maly-saab, gptq, gpfq or msq (maly-saab)
  --variant auto|walk|cell|range
                                of maly-saab: walk moves weights onto the grid one by one while the free ones follow where
                                the data sees least; cell and range are the paper's, for fewer samples than weights (auto = walk)
  --refine                      coordinate descent after the method
  --alphabet auto|affine|full|symmetric|midrise
  --radius auto|max|mse|data    of the alphabets: the largest weight, least squared error, least layer error (auto = data)
  --group N                     an alphabet for every N inputs of a neuron (of nbits a multiple of 16)
  --per-tensor                  one alphabet a layer instead of one a neuron
  --inputs quantized|float      what a layer is fitted on: the network quantized so far, or the float one (quantized)
  --target float|quantized      what it is asked to match: the float network's response, or its own on those inputs (float)
  --one-sided auto|off          ask for no more than can be seen behind a Relu or a Clip (auto)
  --bias-correction auto|off    let biases take up the mean of what rounding changed (auto)
  --fold-bn auto|off            fold BatchNormalization into the layer before it, which changes nothing (auto)
  --damping auto|X, --paths auto|N
                                of gptq and the walk: share of the mean diagonal added; walks kept side by side
  --format auto|qdq|nbits|packed
                                DequantizeLinear; MatMulNBits and GatherBlockQuantized, the rest as auto; or packed bytes in
                                operators every runtime has (auto)
  --least-ort VERSION           the oldest onnxruntime that shall load the copy and compute it right, as 1.20
  --layer 'GLOB=BITS[:METHOD]'  another width for some layers, or keep; repeatable, the last match wins
  --max-bytes N | --max-error E
                                bits layer by layer, 2 to 8, in place of --bits: the least error of the outputs in a file of N
                                bytes, or the fewest bytes for a relative error of E (each layer is tried alone; --layer holds)
  --exclude GLOB                leave layers as they are; repeatable
On which data
  --data SPEC.json[#ID]         a data file; or
  --calibration FILE|DIR        samples: .npy or .npz (the first axis counts them), .csv, a folder of pictures
                                (JPEG, PNG, WebP, BMP), a folder with test_data_set_*
  --input NAME=FILE.npy         an array for one input of several; repeatable
  --samples N                   the first N
  --synthetic                   fit on made-up inputs too; without data they are only measured on
  --dim NAME=N                  size of a free dimension of made-up inputs; repeatable
What comes out
  -o, --output OUT.onnx         the copy (MODEL with .w4.onnx, the bits, before the end)
  --overwrite                   replace OUT; the model itself is never replaced
  --report FILE                 the account: .json (data), .csv (layers), .md or .html (to read); repeatable
  --json                        the same on standard output, and nothing else there
  --dry-run                     layers, bytes and what is left alone; no fit, no file
  --threads N, --seed N
  --memory BYTES                samples, activations, levels in memory; past it in a temporary file; a layer comes on top (2000000000)

Exit codes: 0 done, 1 a failure (one line on standard error), 2 bad usage, 130 interrupted.
`;
