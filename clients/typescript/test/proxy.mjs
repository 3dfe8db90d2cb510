// A TCP proxy that loses answers: the request arrives, is carried out, and the connection is cut where its answer begins.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export async function startProxy(url) {
  const upstream = new URL(url);
  const sockets = new Set();
  const seen = [];
  const losses = new Map();

  const server = createServer((client) => {
    const service = connect(Number(upstream.port), upstream.hostname);
    let lose = false;
    for (const socket of [client, service]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        service.destroy();
      });
    }
    client.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      const line = /^([A-Z]+) (\S+) HTTP/.exec(text);
      if (line) {
        const [, method, path] = line;
        seen.push({ method, path, key: /^idempotency-key: (.*)\r$/im.exec(text)?.[1] });
        const left = losses.get(path) ?? 0;
        if (left > 0) {
          losses.set(path, left - 1);
          lose = true;
        }
      }
      service.write(bytes);
    });
    service.on("data", (bytes) => (lose ? client.destroy() : client.write(bytes)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** The requests to a path, with their keys. */
    requests: (path) => seen.filter((request) => request.path === path),
    /** Loses the answers of the next requests to a path. */
    lose: (path, times = 1) => losses.set(path, times),
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
