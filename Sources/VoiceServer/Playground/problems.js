// What can go wrong, in words: each a title, a sentence on what to do, and nothing else. Who shows it adds the buttons.

/** The words of the server or the browser as a sentence of this page. */
export function sentence(text) {
  const trimmed = String(text).trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

export const insecurePage = () => ({
  title: "The microphone needs a secure page",
  text: "Browsers give the microphone only to https pages and to this very machine. "
    + `Open http://localhost:${location.port || 80}/ on the machine that runs Repartee, or put https in front of it.`,
});

/** Why there is no microphone; `error` is what getUserMedia threw. */
export function microphoneProblem(error) {
  switch (error?.name) {
    case "NotAllowedError": case "SecurityError":
      return {
        title: "The microphone was refused",
        text: "Allow it for this page in the permissions beside the address, then try again.",
      };
    case "NotFoundError": case "OverconstrainedError":
      return { title: "No microphone found", text: "Plug one in, or switch it on in the system's sound settings." };
    case "NotReadableError": case "AbortError":
      return {
        title: "The microphone cannot be opened",
        text: "Another program may hold it. Close that, or choose another device.",
      };
    default:
      return { title: "The audio could not be started", text: sentence(error?.message ?? "the browser gives no reason") };
  }
}

export const microphoneReplaced = { tone: "info", title: "The microphone was unplugged", text: "The default one is used now." };
export const microphoneGone = { title: "The microphone was unplugged", text: "Plug one in and try again. You can type meanwhile." };
export const microphoneSilent = {
  tone: "info", title: "The microphone is silent",
  text: "Nothing at all arrives from it. Check its switch, or choose another one.",
};
export const microphoneMutedElsewhere = {
  tone: "info", title: "The microphone is muted outside this page", text: "The system or a switch on the device mutes it.",
};
export const loudspeakerUnavailable = {
  tone: "info", title: "That loudspeaker is not available", text: "The sound stays where it is.",
};
export const soundPaused = {
  tone: "info", title: "The browser has paused the sound", text: "The conversation goes on once it runs again.",
};
export const protocolProblem = (reason) => ({
  title: "The page and the server do not understand each other",
  text: `${sentence(reason ?? "the server closed the connection because of a protocol error")} Reload the page; it may be older than the server.`,
});
export const transportUnserved = (reason) => ({
  title: "No conversation over WebRTC", text: `${sentence(reason)} The address of this page asks for it; without ?transport= a WebSocket will do.`,
});
export const serverFailure = ({ message, code }) => ({ title: "The server reports a failure", text: sentence(message ?? code ?? "it gives no reason") });

export const keyWanted = (key, reason) => (key === ""
  ? { title: "This server wants a key", text: "Whoever runs it can give you one." }
  : { title: "The key was refused", text: sentence(reason ?? "it is not one of this server's") });

const LOST = {
  gone: ["The server does not answer", "The connection broke."],
  restarting: ["The server is shutting down", "It may be back in a moment."],
  replaced: ["The server restarts", "The conversation goes on in a moment."],
  slow: ["The connection is too slow", "The server closed it because this page did not keep up."],
  failed: ["Something failed on the server", "It ended the conversation."],
  full: ["The server is full", "All its places for conversations are taken."],
};

/** A connection that was lost and is tried again; `text()` counts down. */
export function connectionLost({ kind, reason, until, attempt }) {
  const [title, usual] = LOST[kind] ?? LOST.gone;
  const cause = reason ? sentence(reason) : usual;
  const text = () => {
    const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
    return `${cause} Trying again${seconds > 0 ? ` in ${seconds}\u00a0s` : " now"} (attempt\u00a0${attempt}).`;
  };
  return { title, text };
}
