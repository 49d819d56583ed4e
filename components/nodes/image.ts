/** The operating system image of the nodes: looked up once per architecture, then left alone. */
import * as pulumi from "@pulumi/pulumi";
import { getAmi } from "@pulumi/aws/ec2";
import { getParameterOutput } from "@pulumi/aws/ssm";
import { architectureOf } from "./instanceTypes";
import { remember } from "../shared/memory";
import { runError } from "../shared/problems";

/**
 * The given image, checked against the instance type, or the newest Amazon Linux 2023 of the first deployment. A newer
 * image never replaces nodes by itself; `amiId` does, and so does a change of architecture, which cannot keep the image.
 */
export function nodeImage(
  name: string,
  parent: pulumi.Resource,
  instanceType: string,
  amiId: string | undefined,
): pulumi.Output<string> {
  const architecture = architectureOf(instanceType);
  if (amiId === undefined) {
    // AWS's public parameters for Amazon Linux 2023 (AL2023 user guide, "Get started with AL2023 on Amazon EC2").
    const newest = getParameterOutput(
      { name: `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}` },
      { parent },
    ).insecureValue;
    // The parameter is public; a result that comes with a secret beside it is taken for one as a whole.
    return remember(`${name}-image-${architecture}`, parent, pulumi.unsecret(newest));
  }
  // By a filter: EC2 answers an id that it does not know with an error, and a filter that fits nothing with nothing.
  const image = getAmi(
    { filters: [{ name: "image-id", values: [amiId] }], includeDeprecated: true },
    { parent, async: true },
  ).catch((error: unknown) => {
    throw error instanceof Error && /returned no results/.test(error.message)
      ? runError(
          `instance.amiId: this account has no image ${amiId} in the provider's region; an image is of one region: copy it there, ` +
            `have it shared with this account, or name another`,
        )
      : error;
  });
  return pulumi.output(image).apply(({ architecture: imageArchitecture }: { architecture?: string }) => {
    if (imageArchitecture !== undefined && imageArchitecture !== architecture) {
      throw runError(
        `instance.amiId: ${amiId} is an image for ${imageArchitecture}, but instance.type ${instanceType} is ${architecture}; ` +
          `choose an image and a type of the same architecture`,
      );
    }
    return amiId;
  });
}
