/**
 * A Deno lint plugin that keeps the core pure and the layers apart.
 *
 * `lib/ring/` takes time and randomness as arguments and runs each step to completion, so that a ring
 * can be simulated from a seed. Type checking with a `lib` that has no Deno, timers or console
 * (`core.json`) refuses most of what is not pure; these rules refuse what is in the language: `Date`,
 * `Math.random`, `async`, and state that outlives a step.
 */
import { findImportFault, isCore } from "./layers.ts";

/**
 * Names that the core must not use: clocks, chance, input and output, and ways round this list. Other
 * names of the surroundings (`self`, `fetch`) do not exist for the type checker, and may be variables.
 */
const ambientNames: ReadonlySet<string> = new Set([
  ...["Date", "Temporal", "performance", "Intl"],
  ...["crypto", "WeakRef", "FinalizationRegistry", "Atomics", "SharedArrayBuffer"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval"],
  ...["queueMicrotask", "console", "Deno"],
  ...["globalThis", "eval", "Function", "require"],
]);

/** Methods whose result depends on the language of the machine. */
const localeMethods = /^(localeCompare|toLocale[A-Z]\w*)$/;

/** Refuses what a step must not see: the clock, chance, the outside world. */
const noAmbient: Deno.lint.Rule = {
  create(context) {
    if (!isCore(context.filename)) return {};
    const report = (node: Deno.lint.Node, name: string) =>
      context.report({
        node,
        message: `The core takes what it needs as arguments: no ${name}.`,
      });
    return {
      Identifier(node) {
        if (isMemberName(node)) {
          if (localeMethods.test(node.name)) report(node, node.name);
        } else if (ambientNames.has(node.name)) report(node, node.name);
        else if (node.name === "Math" && !isPureMath(node)) {
          report(node, "Math.random");
        }
      },
      MetaProperty(node) {
        if (node.meta.name === "import") report(node, "import.meta");
      },
    };
  },
};

/** Refuses whatever would let a step end later than its call does. */
const noAsync: Deno.lint.Rule = {
  create(context) {
    if (!isCore(context.filename)) return {};
    const report = (node: Deno.lint.Node) =>
      context.report({
        node,
        message: "The core runs each step to completion: nothing async.",
      });
    const checkFunction = (node: Deno.lint.Node & { async: boolean }) => {
      if (node.async) report(node);
    };
    return {
      FunctionDeclaration: checkFunction,
      FunctionExpression: checkFunction,
      ArrowFunctionExpression: checkFunction,
      AwaitExpression: report,
      ForOfStatement(node) {
        if (node.await) report(node);
      },
      Identifier(node) {
        if (
          /^(Promise(Like)?|Async\w+)$/.test(node.name) && !isMemberName(node)
        ) report(node);
      },
    };
  },
};

/** Refuses variables of a module: two nodes in one process would share them. */
const noModuleState: Deno.lint.Rule = {
  create(context) {
    if (!isCore(context.filename)) return {};
    return {
      VariableDeclaration(node) {
        const { type } = node.parent;
        if (type !== "Program" && type !== "ExportNamedDeclaration") return;
        if (node.kind === "const") return;
        context.report({
          node,
          message: "The core keeps its state in objects: no module variable.",
        });
      },
    };
  },
};

/** Refuses imports against the direction of the layers (`layers.ts`). */
const importDirection: Deno.lint.Rule = {
  create(context) {
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null) => {
      if (source === null) return;
      const specifier = literalText(source);
      const fault = specifier === undefined
        ? (isCore(context.filename) ? "the core imports by name only" : undefined)
        : findImportFault(context.filename, specifier);
      if (fault === undefined) return;
      context.report({
        node,
        message: `Cannot import ${specifier ?? "this"}: ${fault}.`,
      });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.argument),
    };
  },
};

/** Whether an identifier is the name of a property, not a variable: `a.name`, `{ name: 1 }`. */
function isMemberName(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && !parent.computed;
    case "Property":
      return parent.key === node && !parent.computed && !parent.shorthand;
    case "PropertyDefinition":
    case "MethodDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return parent.key === node && !parent.computed;
    default:
      return false;
  }
}

/** Whether this `Math` is only used as `Math.name`, and the name is not `random`. */
function isPureMath({ parent }: Deno.lint.Identifier): boolean {
  return parent.type === "MemberExpression" && !parent.computed &&
    parent.property.type === "Identifier" && parent.property.name !== "random";
}

function literalText(node: Deno.lint.Node): string | undefined {
  if (node.type === "TSLiteralType") return literalText(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

export default {
  name: "ring",
  rules: {
    "no-ambient": noAmbient,
    "no-async": noAsync,
    "no-module-state": noModuleState,
    "import-direction": importDirection,
  },
} satisfies Deno.lint.Plugin;
