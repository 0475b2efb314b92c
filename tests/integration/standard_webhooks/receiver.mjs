// A receiver that knows Standard Webhooks only through the reference library: verifies each request
// with the secret given as the first argument and prints one line for it.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.argv[2]);

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    try {
      webhook.verify(Buffer.concat(chunks), request.headers);
      console.log(`verified ${request.headers["webhook-id"]}`);
      response.writeHead(200);
    } catch (error) {
      console.log(`refused ${error.message}`);
      response.writeHead(400);
    }
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(`listening on port ${server.address().port}`));
