// Tells a page of an application whether this browser's session is still the one that it knows
// [OpenID Connect Session Management 1.0 §3.2]. Nothing is sent to anybody else.
const name = (location.protocol === "https:" ? "__Host-" : "") + "furka-state=";
// Where the frame is, as far as the browser tells.
const above = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
addEventListener("message", async ({ data, origin, source }) => {
  if (!source || origin === "null" || (above && origin !== above)) return;
  const [, client, hash, salt] = /^([a-z0-9._-]{1,64}) ([0-9a-f]{64})\.([0-9a-f]{32})$/.exec(data) ?? [];
  if (!client) return source.postMessage("error", origin);
  const cookie = document.cookie.split("; ").find((one) => one.startsWith(name)) ?? "";
  const text = [client, origin, cookie.slice(name.length), salt].join(" ");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  source.postMessage(found === hash ? "unchanged" : "changed", origin);
});
