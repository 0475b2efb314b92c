// A receiver that knows Standard Webhooks only through the reference library: verifies each request
// with the secret given as the first argument.
import { Webhook } from "standardwebhooks";
import { serve } from "./serve.mjs";

const webhook = new Webhook(process.argv[2]);
serve((body, headers) => {
  webhook.verify(body, headers);
  return `verified ${headers["webhook-id"]}`;
});
