import { Argument } from "commander";
import type { CommandShape } from "../command";
import { ask } from "./ask";

/** What the account's owner would do with `aws s3`. */
export const bucketCommands: CommandShape = {
  name: "s3",
  description: "objects in the region's buckets",
  commands: [
    {
      name: "ls",
      description: "the objects of a bucket: time, bytes, key",
      arguments: [new Argument("<bucket>")],
      async run(session, _options, bucket: string) {
        const objects = await ask(session, (client) => client.objects(bucket));
        if (objects.length === 0) return;
        const lines = objects.map(
          ({ key, size, lastModified }) =>
            `${lastModified.slice(0, 19).replace("T", " ")} ${String(size).padStart(10)} ${key}`,
        );
        return { text: () => lines.join("\n") };
      },
    },
    {
      name: "cp",
      description: "copy an object",
      arguments: [new Argument("<from>", "s3://BUCKET/KEY"), new Argument("<to>", "s3://BUCKET/KEY")],
      async run(session, _options, from: string, to: string) {
        await ask(session, (client) => client.copyObject(from, to));
        session.speaker.say(`copied ${from} to ${to}`);
      },
    },
    {
      name: "empty",
      description: "delete every object of a bucket, for good",
      arguments: [new Argument("<bucket>")],
      async run(session, _options, bucket: string) {
        const deleted = await ask(session, (client) => client.emptyBucket(bucket));
        session.speaker.say(`deleted ${deleted} objects of ${bucket}`);
      },
    },
  ],
};
