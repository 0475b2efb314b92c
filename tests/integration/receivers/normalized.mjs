// A receiver that validates each request by the schema given as the first argument.
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { serve } from "./serve.mjs";

const ajv = new Ajv();
const validate = ajv.compile(JSON.parse(readFileSync(process.argv[2])));
serve((body, headers) => {
  const event = JSON.parse(body);
  if (!validate(event)) throw new Error(ajv.errorsText(validate.errors));
  if (event.id !== headers["webhook-id"]) throw new Error(`the id is ${event.id}`);
  return `event ${event.type_name} on ${event.stream}, push ${event.activity}`;
});
