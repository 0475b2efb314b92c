// A receiver that knows CloudEvents only through the specification's own library: binary or
// structured, it reads and validates each request.
import { HTTP } from "cloudevents";
import { serve } from "./serve.mjs";

serve((body, headers) => {
  const event = HTTP.toEvent({ headers, body: body.toString() });
  event.validate();
  if (event.id !== headers["webhook-id"]) throw new Error(`the id is ${event.id}`);
  return `event ${event.type} of ${event.source} on ${event.subject}, push ${event.data.sequence}`;
});
