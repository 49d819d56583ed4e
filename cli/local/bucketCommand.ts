import { Command } from "commander";
import type { RegionClient } from "../../simulator/client";
import type { Speaker } from "../console";

type Ask = <T>(question: (client: RegionClient) => Promise<T>) => Promise<T>;

/** `region s3`: what the account's owner would do with `aws s3`. */
export function bucketCommand(ask: Ask, speaker: Speaker): Command {
  const s3 = new Command("s3").description("objects in the region's buckets");
  s3.command("ls")
    .argument("<bucket>")
    .description("the objects of a bucket: time, bytes, key")
    .action(async (bucket: string) => {
      for (const { key, size, lastModified } of await ask((client) => client.objects(bucket))) {
        process.stdout.write(
          `${lastModified.slice(0, 19).replace("T", " ")} ${String(size).padStart(10)} ${key}\n`,
        );
      }
    });
  s3.command("cp")
    .argument("<from>", "s3://BUCKET/KEY")
    .argument("<to>", "s3://BUCKET/KEY")
    .description("copy an object")
    .action(async (from: string, to: string) => {
      await ask((client) => client.copyObject(from, to));
      speaker.say(`copied ${from} to ${to}`);
    });
  s3.command("empty")
    .argument("<bucket>")
    .description("delete every object of a bucket, for good")
    .action(async (bucket: string) => {
      const deleted = await ask((client) => client.emptyBucket(bucket));
      speaker.say(`deleted ${deleted} objects of ${bucket}`);
    });
  return s3;
}
