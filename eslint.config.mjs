import { builtinModules } from "node:module";
import tseslint from "typescript-eslint";
import prettier from "eslint-config-prettier";

/**
 * Who may import whom (ARCHITECTURE.md has the picture). Left is a room, right is every room it may use beside itself.
 * A folder under src that is not listed here fails test/unit/rooms.test.ts.
 */
export const mayImport = {
  "core/onnx": [],
  "core/grid": [],
  "core/linalg": [],
  "core/methods": ["core/grid", "core/linalg"],
  "core/graph": ["core/onnx"],
  "core/calibration": ["core/graph", "core/onnx", "core/linalg"],
  "core/formats": ["core/grid", "core/graph", "core/onnx"],
  "core/report": ["core/calibration", "core/grid", "core/linalg"],
  core: ["core"],
  kernels: ["core/linalg"],
  protocol: ["core/report"],
  engine: ["core", "kernels", "protocol"],
  host: ["protocol", "core/report"],
  cli: ["core", "engine", "protocol"],
};

// src/core/failure.ts and src/core/matrix.ts are no rooms: everybody may use the shape of bad news and of a matrix.
const rooms = [...Object.keys(mayImport).filter(room => room !== "core"), "core/pipeline"];
const within = (room, other) => room === other || room.startsWith(other + "/");

function patternsOf(room, allowed) {
  const forbidden = rooms.filter(
    other => !within(other, room) && !within(room, other) && !allowed.some(one => within(other, one)),
  );
  return forbidden.map(other => ({
    regex: `^(\\.\\./)+(src/)?(${other}|${other.split("/").pop()})(/|$)`,
    allowTypeImports: true,
    message: `src/${room} may not import src/${other}.`,
  }));
}

const pure = room => room.startsWith("core") || room === "kernels" || room === "protocol";

const roomRules = Object.entries(mayImport).map(([room, allowed]) => ({
  files: room === "core" ? ["src/core/*.ts"] : [`src/${room}/**/*.ts`],
  rules: {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      {
        paths: [
          ...(room === "host" ? [] : [{ name: "vscode", message: `src/${room} runs without VS Code.` }]),
          ...(room === "engine"
            ? []
            : [{ name: "onnxruntime-node", message: "Only src/engine runs models.", allowTypeImports: true }]),
          ...(pure(room)
            ? builtinModules.map(name => ({ name, message: `src/${room} does no input or output.` }))
            : []),
        ],
        patterns: [
          ...(pure(room) ? [{ group: ["node:*"], message: `src/${room} does no input or output.` }] : []),
          ...patternsOf(room, allowed),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "src/core/onnx/onnx_pb.ts", "src/kernels/assembly/"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-non-null-assertion": "off", // noUncheckedIndexedAccess makes `a[i]!` the honest form in numeric loops.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "no-empty": ["error", { allowEmptyCatch: false }],
      eqeqeq: "error",
    },
  },
  {
    files: ["src/core/**/*.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        "process",
        "Buffer",
        "setTimeout",
        "setImmediate",
        "performance",
        "window",
        "document",
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "Pass a seeded generator." },
        { object: "Date", property: "now", message: "The core has no clock." },
      ],
    },
  },
  ...roomRules,
  {
    files: ["webview/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", "process", "Buffer", "setImmediate"],
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          paths: ["vscode", ...builtinModules].map(name => ({
            name,
            message: "A page has the DOM and nothing else.",
          })),
          patterns: [
            { group: ["node:*"], message: "A page has the DOM and nothing else." },
            { regex: "^(\\.\\./)+src/", allowTypeImports: true, message: "Of src a page knows only the types." },
            { group: ["lit/directives/unsafe-*"], message: "Names in a model come from anywhere: they are text." },
            { group: ["lit/directives/style-map*"], message: "Style attributes are refused by the page's policy." },
          ],
        },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "TemplateElement[value.raw=/\\sstyle=/]",
          message: "Style attributes are refused by the page's policy; set the property: .style=${…}",
        },
      ],
    },
  },
  { files: ["test/**/*.ts"], rules: { "@typescript-eslint/no-floating-promises": "off" } },
  prettier,
);
