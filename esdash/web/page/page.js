"use strict";
// What is besides the terminal, which textual.js opens once all is loaded.

const origin = window.location.origin;

// Why a session ended; textual.js keeps its websocket to itself.
let why = "";

let leaving = false;

class Socket extends WebSocket {
  constructor(url) {
    super(url);
    this.addEventListener("message", (event) => {
      if (typeof event.data === "string") {
        const [kind, text] = JSON.parse(event.data);
        if (kind === "ended") why = text;
      }
    });
    this.addEventListener("open", () => document.querySelector(".xterm-helper-textarea").focus());
    this.addEventListener("close", () => leaving || tell());
    // Before the page is asked for once more, which would take a second session.
    window.addEventListener("beforeunload", () => {
      leaving = true;
      this.close();
    });
  }
}
window.WebSocket = Socket;

// Where nothing came of it, the page itself says why: no session is free, or the token is another one.
async function tell() {
  let answer = null;
  try {
    answer = await fetch("/", { method: "HEAD" });
  } catch {
    why = why || "The connection is lost, and the server does not answer.";
  }
  if (answer && !answer.ok) {
    window.location.reload();
    return;
  }
  document.getElementById("why").textContent = why || "The connection is lost.";
  document.getElementById("again").focus();
}

// A download needs no window, which a browser may refuse to open long after a key was pressed. What else would open one
// is a link in what the terminal shows, and anybody may have written that.
window.open = (url) => {
  if (!String(url).startsWith(origin + "/download/")) return null;
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
  return null;
};

document.addEventListener("DOMContentLoaded", () => {
  const terminal = document.getElementById("terminal");
  terminal.dataset.sessionWebsocketUrl = origin.replace(/^http/, "ws") + "/ws";
  document.getElementById("again").addEventListener("click", () => window.location.reload());
});
