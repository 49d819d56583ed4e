/** Stands for the npm client that Pulumi loads for functions that are serialized: more than a second of every test file. */
module.exports = {};
