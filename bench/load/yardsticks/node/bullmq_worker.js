// Delivers the jobs of the queue `deliveries` with undici, signed as Standard Webhooks are, over
// kept connections; a job fails, and is tried again by BullMQ, unless the answer is 2xx.
//
//   node bullmq_worker.js --redis SOCKET --concurrency N      SIGTERM ends it

import { createHmac } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';

const { values } = parseArgs({
  options: { redis: { type: 'string' }, concurrency: { type: 'string' } },
});
const CONNECTIONS_OF_ENDPOINT = 100;
const SECRET = Buffer.from('a secret of thirty-two bytes ...');
const connection = new Redis(values.redis, { maxRetriesPerRequest: null, enableAutoPipelining: true });
const dispatcher = new Agent({ connections: CONNECTIONS_OF_ENDPOINT, pipelining: 1 });

async function deliver(job) {
  const { url, body } = job.data;
  const timestamp = Math.floor(Date.now() / 1000);
  const signature = createHmac('sha256', SECRET).update(`${job.id}.${timestamp}.${body}`).digest('base64');
  const answer = await request(url, {
    method: 'POST',
    dispatcher,
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': job.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': `v1,${signature}`,
    },
  });
  await answer.body.dump();
  if (answer.statusCode >= 300) throw new Error(`answered ${answer.statusCode}`);
}

new Worker('deliveries', deliver, { connection, concurrency: Number(values.concurrency) });
process.on('SIGTERM', () => process.exit(0));
console.log('ready');
