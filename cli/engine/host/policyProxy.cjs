// The engine tells a policy pack its stack and configuration by a call; the Node.js policy SDK wants them in
// its environment when it starts. So this stands in for the pack until the call has come, and then passes
// every call on to the pack.
"use strict";

const grpc = require("@grpc/grpc-js");
const services = require("@pulumi/pulumi/proto/analyzer_grpc_pb.js");
const messages = require("@pulumi/pulumi/proto/analyzer_pb.js");

function settled() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => ([resolve, reject] = [yes, no]));
  promise.catch(() => {}); // a pack that dies before the first call is reported by that call
  return { promise, resolve, reject };
}

function environmentOf(request) {
  const { stack, project, organization, dryRun, configMap } = request.toObject();
  const environment = {
    PULUMI_NODEJS_ORGANIZATION: organization,
    PULUMI_NODEJS_PROJECT: project,
    PULUMI_NODEJS_STACK: stack,
    PULUMI_NODEJS_DRY_RUN: String(dryRun),
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(configMap)),
  };
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value));
}

async function startPolicyProxy() {
  const configuration = settled();
  const pack = settled();

  function forward(method) {
    return (call, callback) => {
      configuration.resolve(undefined); // asked before any configuration: there is none
      pack.promise.then(
        (client) =>
          client.makeUnaryRequest(
            method.path,
            method.requestSerialize,
            method.responseDeserialize,
            call.request,
            callback,
          ),
        (error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
      );
    };
  }

  const service = services.AnalyzerService;
  const implementation = Object.fromEntries(
    Object.entries(service).map(([name, method]) => [name, forward(method)]),
  );
  implementation.handshake = (_call, callback) => callback(null, new messages.AnalyzerHandshakeResponse());
  implementation.configureStack = (call, callback) => {
    configuration.resolve(call.request);
    callback(null, new messages.AnalyzerStackConfigureResponse());
  };

  const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
  const server = new grpc.Server(unlimited);
  server.addService(service, implementation);
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );

  return {
    port,
    /** Waits for the engine's call. */
    async stackEnvironment() {
      const request = await configuration.promise;
      return request === undefined ? {} : environmentOf(request);
    },
    /** The first line the pack prints is its port; the rest is for the user. */
    attach(child, output) {
      let head = "";
      child.stdout.on("data", function first(data) {
        head += data.toString();
        const end = head.indexOf("\n");
        if (end < 0) return;
        child.stdout.off("data", first);
        child.stdout.on("data", output);
        if (head.length > end + 1) output(Buffer.from(head.slice(end + 1)));
        const address = `127.0.0.1:${head.slice(0, end).trim()}`;
        pack.resolve(new grpc.Client(address, grpc.credentials.createInsecure(), unlimited));
      });
      child.once("close", (code) => pack.reject(new Error(`the policy pack ended with exit code ${code}`)));
    },
    close: () => server.forceShutdown(),
  };
}

module.exports = { startPolicyProxy };
