import { renderHaproxy } from "./haproxy";
import { renderNginx } from "./nginx";
import { ProxyEngine, resolveProxy, type ProxyArgs } from "./settings";

/** The configuration of the proxy's engine. Throws when the input cannot work. */
export function renderProxy(args: ProxyArgs): string {
  const settings = resolveProxy(args);
  return settings.engine === ProxyEngine.Nginx ? renderNginx(settings) : renderHaproxy(settings);
}
