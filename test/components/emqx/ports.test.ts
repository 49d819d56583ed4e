import { clusterPortList, clusterPortNumbers, ports } from "../../../components/emqx/ports";

test("the ports are those of the deployment guide and of EMQX 5", () => {
  expect(ports).toEqual({ mqtt: 1883, mqtts: 8883, ws: 8083, wss: 8084, dashboard: 18083 });
  expect(clusterPortNumbers("Documented")).toEqual({ epmd: 4369, rpc: 5369, distribution: 6369 });
  expect(clusterPortNumbers("Package")).toEqual({ rpc: 5370, distribution: 4370 });
});

test("the list has every number once, and says what it is for", () => {
  expect(clusterPortList("Documented")).toEqual([
    { port: 4369, purpose: "Erlang port mapper" },
    { port: 5369, purpose: "RPC between nodes" },
    { port: 6369, purpose: "Erlang distribution" },
  ]);
  expect(clusterPortList("Package").map(({ port }) => port)).toEqual([5370, 4370]);
});
