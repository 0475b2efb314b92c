// Takes callbacks with Fastify, checks their signature, stores each with XADD and answers when Redis
// has: what a careful author would write in an afternoon. ioredis pipelines what a turn of the loop
// has; Fastify logs nothing and neither validates nor serialises by schema what needs none.
//
//   node fastify_xadd.js --port N --redis SOCKET      prints "ready"; SIGTERM ends it

import { Redis } from 'ioredis';
import { listen, options } from './callbacks.js';

const redis = new Redis(options.redis, { enableAutoPipelining: true });

await listen((body) => redis.xadd('events', '*', 'body', body));
