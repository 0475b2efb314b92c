// Fills the queue that bullmq_worker.js empties: `count` jobs for each URL, each a delivery with a
// body of so many bytes.
//
//   node bullmq_preload.js --redis SOCKET --bytes N --count N URL...

import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const { values, positionals } = parseArgs({
  options: { redis: { type: 'string' }, bytes: { type: 'string' }, count: { type: 'string' } },
  allowPositionals: true,
});
const BATCH = 1000;
const connection = new Redis(values.redis, { maxRetriesPerRequest: null });
const queue = new Queue('deliveries', { connection });
const body = 'x'.repeat(Number(values.bytes));

let batch = [];
async function flush() {
  await queue.addBulk(batch);
  batch = [];
}
for (let i = 0; i < Number(values.count); i += 1) {
  for (const url of positionals) {
    batch.push({ name: 'delivery', data: { url, body }, opts: { removeOnComplete: true, attempts: 10 } });
  }
  if (batch.length >= BATCH) await flush();
}
if (batch.length > 0) await flush();
await queue.close();
connection.disconnect();
