// `runtime.options` of Pulumi.yaml.
"use strict";

const defaults = { typescript: true, tsconfig: "", nodeargs: "", production: false, packagemanager: "auto" };

const packageManagers = ["auto", "npm", "yarn", "pnpm", "bun"];

/** The options with their defaults; a value of the wrong kind is an error that says so. */
function parseOptions(given) {
  const options = { ...defaults };
  for (const [name, initial] of Object.entries(defaults)) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== typeof initial) {
      throw new Error(
        `runtime option ${name} in Pulumi.yaml must be a ${typeof initial}, not ${JSON.stringify(value)}`,
      );
    }
    options[name] = value;
  }
  if (!packageManagers.includes(options.packagemanager)) {
    throw new Error(
      `runtime option packagemanager in Pulumi.yaml must be one of ${packageManagers.join(", ")}, ` +
        `not ${JSON.stringify(options.packagemanager)}`,
    );
  }
  return options;
}

/** Splits a command line as a shell would: spaces, 'single' and "double" quotes, backslashes. */
function splitWords(line) {
  const words = [];
  let word;
  let quote;
  for (let index = 0; index < line.length; index++) {
    const character = line[index];
    if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "\\" && quote !== "'") {
      index++;
      if (index === line.length) throw new Error(`nodeargs ends in a backslash: ${line}`);
      word = (word ?? "") + line[index];
    } else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (character === quote) {
      quote = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== undefined) throw new Error(`nodeargs has a quote ${quote} that is not closed: ${line}`);
  if (word !== undefined) words.push(word);
  return words;
}

module.exports = { parseOptions, splitWords };
