/**
 * What nodes ask besides AWS: a service of the user's. Whether a node may is judged as on AWS; what is asked is the program that
 * listens at that port of this computer, on its loopback address, wherever the address leads in AWS.
 */
import { request as http } from "node:http";
import { request as https } from "node:https";
import type { Verdict } from "../dataplane/reachability";
import type { BackEndAnswer, BackEndRequest } from "./authentication";

export function askBackEnd(
  { method, url, headers, body, timeoutMs, verifies }: BackEndRequest,
  egress: (host: string, port: number) => Verdict,
): Promise<BackEndAnswer> {
  const { protocol, hostname, port: given, pathname, search, host } = new URL(url);
  const isTls = protocol === "https:";
  const port = Number(given || (isTls ? 443 : 80));
  const verdict = egress(hostname, port);
  if (!verdict.allowed) return Promise.reject(new Error(verdict.reason));
  return new Promise((resolve, reject) => {
    const asked = (isTls ? https : http)(
      {
        ...{
          host: "127.0.0.1",
          port,
          path: `${pathname}${search}`,
          method,
          timeout: timeoutMs,
          agent: false,
        },
        ...(isTls ? { servername: hostname, rejectUnauthorized: verifies } : {}),
        headers: {
          host,
          ...headers,
          ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
        },
      },
      (response) => {
        let text = "";
        response
          .setEncoding("utf8")
          .on("data", (chunk: string) => (text += chunk))
          .on("error", reject)
          .on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              contentType: response.headers["content-type"] ?? "",
              body: text,
            }),
          );
      },
    );
    asked.on("error", reject);
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    asked.end(body);
  });
}
