// Listens on a free port and prints one line for each request: what `read(body, headers)` returns,
// or why it threw.
import { createServer } from "node:http";

export function serve(read) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      try {
        console.log(read(Buffer.concat(chunks), request.headers));
        response.writeHead(200);
      } catch (error) {
        console.log(`refused ${error.message}`);
        response.writeHead(400);
      }
      response.end();
    });
  });
  server.listen(0, "127.0.0.1", () => console.log(`listening on port ${server.address().port}`));
}
