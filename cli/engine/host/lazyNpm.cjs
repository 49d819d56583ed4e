// Preloaded into the program: npm's own library, a tenth of what the SDK loads, is loaded when it is used. The SDK needs it only
// to pack functions of a program as code for a cloud (@pulumi/pulumi/runtime/closure/codePaths.js).
"use strict";

const Module = require("node:module");

const load = Module._load;
Module._load = function (request, ...rest) {
  if (request !== "@npmcli/arborist") return load.call(this, request, ...rest);
  // Said to be an ES module, it is not copied by its importer, which would load it.
  const get = (_, name) => name === "__esModule" || load.call(this, request, ...rest)[name];
  return new Proxy({}, { get });
};
