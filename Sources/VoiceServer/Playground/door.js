// The way in (docs/protocol.md): asks the server to keep a place, or shows the token that brings back into a conversation whose
// connection was lost.
const KEY = "repartee-key";
const BEGIN = "/start";

export class Door {
  /** The key that the person has given, for this tab only. */
  static get key() { return sessionStorage.getItem(KEY) ?? ""; }

  static set key(key) { sessionStorage.setItem(KEY, key); }

  iceServers = [];

  /** True while a conversation is being gone back into. */
  get returns() { return this.ticket !== undefined; }

  /** Notes what brings back into the conversation. */
  remember({ session, token }) { this.ticket = session && token ? { session, token } : undefined; }

  /** The next one is a new conversation. */
  forget() { this.ticket = undefined; }

  /** Where to connect, and what to show there. Throws like `post`. */
  async enter(transport) {
    if (this.ticket) return { ...this.ticket, iceServers: this.iceServers };
    const answer = await this.post(BEGIN, { transport }, Door.key);
    this.iceServers = answer.iceConfig?.iceServers ?? [];
    return { session: answer.sessionId, token: answer.token, iceServers: this.iceServers };
  }

  /** Whether the server can be reached though it did not take the way back: then there is none. */
  async isClosed() {
    try {
      await fetch("/status", { cache: "no-store" });
      return true;
    } catch {
      return false;
    }
  }

  /** Asks the server; throws an error whose `outcome` says what a refusal means for the connection. */
  async post(path, content, credential) {
    let response;
    const headers = { "Content-Type": "application/json", ...(credential ? { Authorization: `Bearer ${credential}` } : {}) };
    try {
      response = await fetch(path, { method: "POST", headers, body: JSON.stringify(content) });
    } catch (error) {
      throw Object.assign(error, { outcome: { code: 1006 } });
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw Object.assign(new Error(answer.detail), { outcome: this.meaning(response.status, answer.detail) });
  }

  meaning(status, reason) {
    if (status === 503 || status === 429) return { code: 1013, reason };
    if (status >= 500) return { code: 1011, reason };
    if (status !== 401 && status !== 403) return { unserved: "The server does not offer it." };
    if (!this.returns) return { wantsKey: true, reason };
    this.forget();
    return { code: 1006, startsOver: true };
  }
}
