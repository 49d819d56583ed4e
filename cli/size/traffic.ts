/** Bytes a second, from what clients send and get. */
import type { SizeInput } from "./input";
import type { Assumed } from "./numbers";
import { published } from "./numbers";

export interface Traffic {
  /** Between clients and load balancer: with TLS, if they use it. */
  fromClients: number;
  toClients: number;
  /** Between load balancer and nodes: without TLS. */
  toNodes: number;
  fromNodes: number;
  /** What nodes pass to each other, all together. */
  betweenNodes: number;
  /** Of one message, on the wire to a node. */
  messageBytes: number;
}

/** Packets that answer a message of each QoS: in the other direction, and in its own (PUBACK; PUBREC, PUBREL, PUBCOMP). */
const answers = [
  { back: 0, along: 0 },
  { back: 1, along: 0 },
  { back: 2, along: 1 },
];
const answerBytes = 4;
const pingBytes = 2;
/** Payload of a TCP segment on the internet. */
const segmentBytes = 1_400;

/** With `nodes` of them serving. */
export function trafficOf(input: SizeInput, assumed: Assumed, nodes: number): Traffic {
  const { rate, fanOut, connections, keepAliveSeconds } = input;
  const { back, along } = answers[input.qos]!;
  const delivered = rate * fanOut;
  const pings = connections / keepAliveSeconds;
  const content = input.payloadBytes + assumed.topicBytes;

  const bytes = (published: number, answering: number, record: number) =>
    published * (wire(content) + record) +
    answering * (wire(answerBytes) + record) +
    pings * (wire(pingBytes) + record);
  const record = input.tls ? published.tlsRecordBytes.value : 0;
  const upAnswers = rate * along + delivered * back;
  const downAnswers = delivered * along + rate * back;
  return {
    fromClients: bytes(rate, upAnswers, record),
    toClients: bytes(delivered, downAnswers, record),
    toNodes: bytes(rate, upAnswers, 0),
    fromNodes: bytes(delivered, downAnswers, 0),
    // The subscriber is as likely at one node as at any other.
    betweenNodes: delivered * ((nodes - 1) / nodes) * wire(content),
    messageBytes: wire(content),
  };
}

function wire(content: number): number {
  return content + Math.max(1, Math.ceil(content / segmentBytes)) * published.frameBytes.value;
}
