// What both servers of callbacks have in common: the command line, and an HTTP server that takes
// signed callbacks and answers {"code":0} when they are stored.

import { createHash, timingSafeEqual } from 'node:crypto';
import { parseArgs } from 'node:util';
import Fastify from 'fastify';

const KEY = 'demo-key';
const GRACE_S = 900;

export const options = parseArgs({
  options: { port: { type: 'string' }, redis: { type: 'string' } },
}).values;

function authentic({ t, sign }) {
  if (!(Number(t) + GRACE_S > Date.now() / 1000) || typeof sign !== 'string') return false;
  const expected = createHash('md5').update(KEY + t).digest('hex');
  return sign.length === expected.length && timingSafeEqual(Buffer.from(sign), Buffer.from(expected));
}

// `store` resolves when the callback, as its bytes were, is stored.
export async function listen(store) {
  const server = Fastify({ logger: false, bodyLimit: 1 << 20, keepAliveTimeout: 600_000 });
  // The text is stored, not what came of parsing it.
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    try {
      done(null, { text, callback: JSON.parse(text) });
    } catch (error) {
      error.statusCode = 400;
      done(error);
    }
  });
  server.post('/in/demo', async (request, reply) => {
    const { text, callback } = request.body;
    if (!authentic(callback)) return reply.code(403).send({ code: 403 });
    await store(text);
    return { code: 0 };
  });
  await server.listen({ host: '127.0.0.1', port: Number(options.port) });
  process.on('SIGTERM', () => process.exit(0));
  console.log('ready');
}
