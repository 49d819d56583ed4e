/** Every way in which a source file can be broken at one place: one operator, one literal, one property, one line of a script. */
import ts from "typescript";

export interface Mutant {
  file: string;
  line: number;
  /** What is done, in a few words. */
  what: string;
  start: number;
  end: number;
  replacement: string;
}

const operators: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, "!=="],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, "==="],
  [ts.SyntaxKind.LessThanToken, ">="],
  [ts.SyntaxKind.GreaterThanToken, "<="],
  [ts.SyntaxKind.LessThanEqualsToken, ">"],
  [ts.SyntaxKind.GreaterThanEqualsToken, "<"],
  [ts.SyntaxKind.AmpersandAmpersandToken, "||"],
  [ts.SyntaxKind.BarBarToken, "&&"],
  [ts.SyntaxKind.PlusToken, "-"],
  [ts.SyntaxKind.MinusToken, "+"],
]);

/** A value that a program reads, unlike a sentence for people. */
const word = /^[\w.:/*-]+$/;

/** A line of bash that does something; without it the rest must still be read as before. */
const command = /^ *[a-z_"$][^#]*[^\\({|&]$/;
const structure =
  /^ *(?:\$\{\w+\})?(if|then|else|elif|fi|for|while|do|done|case|esac|local)\b|EOF|\\$|[{}]$|;;$/;

export function mutantsOf(file: string, text: string): Mutant[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const mutants: Mutant[] = [];
  const add = (start: number, end: number, replacement: string, what: string) => {
    const line = source.getLineAndCharacterOfPosition(start).line + 1;
    mutants.push({ file, line, what, start, end, replacement });
  };
  const replace = (node: ts.Node, replacement: string) =>
    add(node.getStart(), node.end, replacement, `${node.getText()} → ${replacement}`);

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isBinaryExpression(node)) {
      const operator = operators.get(node.operatorToken.kind);
      if (operator !== undefined) replace(node.operatorToken, operator);
    } else if (ts.isConditionalExpression(node)) {
      const [one, other] = [node.whenTrue.getText(), node.whenFalse.getText()];
      add(node.whenTrue.getStart(), node.whenFalse.end, `${other} : ${one}`, "the two cases swapped");
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) replace(node, "false");
    else if (node.kind === ts.SyntaxKind.FalseKeyword) replace(node, "true");
    else if (ts.isNumericLiteral(node)) replace(node, String(Number(node.text) + 1));
    else if (ts.isStringLiteral(node) && word.test(node.text)) replace(node, `"${node.text}x"`);
    else if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) {
      add(node.getStart(), node.end, "", `without property ${node.name.getText()}`);
    } else if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
      replace(node, node.operand.getText());
    } else if (ts.isExpressionStatement(node)) {
      add(node.getStart(), node.end, "", `without ${node.getText().split("\n")[0]}`);
    }
    if (ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)) visitScript(node);
    ts.forEachChild(node, visit);
  };

  const visitScript = (node: ts.Node): void => {
    let start = node.getStart();
    const lines = node.getText().split("\n");
    lines.forEach((line, index) => {
      const isWhole = index > 0 && index < lines.length - 1 && !lines[index - 1]!.endsWith("\\");
      if (isWhole && command.test(line) && !structure.test(line)) {
        add(start, start + line.length, "", `without ${line.trim()}`);
      }
      start += line.length + 1;
    });
  };

  visit(source);
  // An empty property would leave its comma behind.
  return mutants.map((mutant) =>
    mutant.replacement === "" &&
    /^\s*,/.test(text.slice(mutant.end)) &&
    mutant.what.startsWith("without property")
      ? { ...mutant, end: mutant.end + text.slice(mutant.end).indexOf(",") + 1 }
      : mutant,
  );
}
