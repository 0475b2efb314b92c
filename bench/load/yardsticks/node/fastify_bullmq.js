// The same with a BullMQ job for each callback, which is what makes retries easy there.
//
//   node fastify_bullmq.js --port N --redis SOCKET    prints "ready"; SIGTERM ends it

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { listen, options } from './callbacks.js';

const connection = new Redis(options.redis, { enableAutoPipelining: true, maxRetriesPerRequest: null });
const queue = new Queue('events', { connection });

await listen((body) => queue.add('callback', { body }, { removeOnComplete: true, attempts: 10 }));
