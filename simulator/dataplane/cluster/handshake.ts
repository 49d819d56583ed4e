/**
 * How two nodes make sure of each other: names are exchanged, then each proves with a challenge that it holds the same
 * cookie, which itself never travels (the idea of Erlang's distribution handshake, with HMAC-SHA-256).
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Frame, FrameSocket } from "./frames";

/** What a node tells the other in the handshake. */
export interface Introduction {
  name: string;
  /** `distribution` carries membership, `rpc` the published messages; a node refuses the wrong kind. */
  channel: "distribution" | "rpc";
  startedAt: number;
}

export interface HandshakeRules {
  self: Introduction;
  cookie: string;
  timeoutMs: number;
  /** Why the other side is not welcome, or undefined when it is. */
  refuses(other: Introduction): string | undefined;
}

/** Opens the conversation; resolves with the other side once both have proved themselves. */
export function introduce(channel: FrameSocket, rules: HandshakeRules): Promise<Introduction> {
  channel.send({ hello: rules.self });
  return conversation(channel, rules, (other, frame, challenge) => {
    if (other === undefined) {
      const answer = answerTo(String(frame["challenge"]), rules.cookie, rules.self.name);
      return { reply: { answer, challenge } };
    }
    return proves(frame["answer"], challenge, rules.cookie, other.name)
      ? { accepted: true }
      : { refusal: `${other.name} does not hold the same cookie` };
  });
}

/** Answers a conversation that the other side opened. */
export function receive(channel: FrameSocket, rules: HandshakeRules): Promise<Introduction> {
  return conversation(channel, rules, (other, frame, challenge) => {
    if (other === undefined) {
      return { reply: { hello: rules.self, challenge } };
    }
    return proves(frame["answer"], challenge, rules.cookie, other.name)
      ? {
          accepted: true,
          reply: { answer: answerTo(String(frame["challenge"]), rules.cookie, rules.self.name) },
        }
      : { refusal: `attempt of ${other.name} rejected: invalid challenge reply (the cookies differ)` };
  });
}

/** What a handshake fails with when the other side just goes: a probe whether the port is open, or a lost race. */
export const closedWithoutWord = "the connection was closed during the handshake";

interface Turn {
  reply?: object;
  accepted?: true;
  refusal?: string;
}

/** Both sides alike: the first frame introduces the other, the second one proves it. */
function conversation(
  channel: FrameSocket,
  rules: HandshakeRules,
  turn: (other: Introduction | undefined, frame: Frame, challenge: string) => Turn,
): Promise<Introduction> {
  const challenge = randomBytes(16).toString("hex");
  return new Promise((resolve, reject) => {
    let other: Introduction | undefined;
    const finish = () => {
      clearTimeout(timer);
      channel.socket.off("close", gone);
      channel.listen(undefined);
    };
    const fail = (why: string, tell: boolean) => {
      finish();
      if (tell) {
        channel.send({ refused: why });
      }
      channel.socket.end();
      reject(new Error(why));
    };
    const gone = () => fail(closedWithoutWord, false);
    const timer = setTimeout(() => fail("the handshake took too long", false), rules.timeoutMs);
    channel.socket.on("close", gone);
    channel.listen((frame) => {
      if (typeof frame["refused"] === "string") {
        fail(frame["refused"], false);
        return;
      }
      const introduction = other ?? readIntroduction(frame["hello"]);
      const unwelcome = introduction === undefined ? "no introduction" : rules.refuses(introduction);
      if (introduction === undefined || unwelcome !== undefined) {
        fail(unwelcome ?? "no introduction", true);
        return;
      }
      const { reply, accepted, refusal } = turn(other, frame, challenge);
      other = introduction;
      if (refusal !== undefined) {
        fail(refusal, true);
        return;
      }
      if (reply !== undefined) {
        channel.send(reply);
      }
      if (accepted) {
        finish();
        resolve(introduction);
      }
    });
  });
}

function readIntroduction(value: unknown): Introduction | undefined {
  const hello = value as Partial<Introduction> | undefined;
  return typeof hello?.name === "string" &&
    typeof hello.startedAt === "number" &&
    (hello.channel === "distribution" || hello.channel === "rpc")
    ? { name: hello.name, channel: hello.channel, startedAt: hello.startedAt }
    : undefined;
}

function answerTo(challenge: string, cookie: string, name: string): Buffer {
  return createHmac("sha256", cookie).update(`${name}\n${challenge}`).digest();
}

function proves(answer: unknown, challenge: string, cookie: string, name: string): boolean {
  const expected = answerTo(challenge, cookie, name);
  return Buffer.isBuffer(answer) && answer.length === expected.length && timingSafeEqual(answer, expected);
}
