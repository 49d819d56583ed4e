import { inspect } from "node:util";
import { withFixedMessage } from "../../components/shared/problems";

test("an error stays what it is, whatever the SDK writes and hangs on it", () => {
  const error: Error & { promise?: unknown } = withFixedMessage(new Error("why"));
  error.message = 'error serializing property "outputs": why';
  error.promise = Promise.resolve("the whole program");
  expect([error.message, error.promise, inspect(error)]).toEqual(["why", undefined, "why"]);
});
