/** Questions over a distribution connection: each has a number, the answer carries it. */
import { Frame, FrameSocket } from "./frames";

const answerTimeoutMs = 2000;

export class Questions {
  private readonly waiting = new Map<number, (answer: Frame) => void>();
  private next = 1;

  constructor(private readonly channel: FrameSocket) {}

  /** Undefined when there is no answer in time, or the connection goes. */
  ask(question: object): Promise<Frame | undefined> {
    const id = this.next++;
    const { socket } = this.channel;
    return new Promise((resolve) => {
      const finish = (answer: Frame | undefined) => {
        clearTimeout(timer);
        socket.off("close", gone);
        this.waiting.delete(id);
        resolve(answer);
      };
      const gone = () => finish(undefined);
      const timer = setTimeout(gone, answerTimeoutMs);
      socket.on("close", gone);
      this.waiting.set(id, finish);
      this.channel.send({ ...question, question: id });
      if (socket.destroyed) {
        gone();
      }
    });
  }

  answer(question: Frame, answer: object): void {
    this.channel.send({ ...answer, answerTo: question["question"] });
  }

  /** Whether a frame was the answer to a question. */
  takes(frame: Frame): boolean {
    if (typeof frame["answerTo"] !== "number") {
      return false;
    }
    this.waiting.get(frame["answerTo"])?.(frame);
    return true;
  }
}
