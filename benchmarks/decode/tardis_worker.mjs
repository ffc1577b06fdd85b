// tardis-dev's mappers on node: JSON.parse and map, as its replay does. The protocol is that of serving.py.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const folder = process.argv[2]
const require = createRequire(folder + '/')
const tardis = require('tardis-dev')

const VENUES = {
  'binance spot': 'binance',
  'binance linear': 'binance-futures',
  'bybit linear': 'bybit',
  'bybit spot': 'bybit-spot',
  'okx spot': 'okex',
  'coinbase spot': 'coinbase',
  'kraken spot': 'kraken',
  'kraken_futures inverse': 'cryptofacilities',
  'upbit spot': 'upbit'
}
const NORMALIZERS = { book: tardis.normalizeBookChanges, trade: tardis.normalizeTrades, bbo: tardis.normalizeBookTickers }
const LEVELS = 5

class Mapper {
  constructor(spec) {
    const frames = JSON.parse(readFileSync(spec.case, 'utf8'))
    this.channel = frames.channel
    this.exchange = VENUES[`${frames.exchange} ${frames.market}`]
    if (this.exchange === undefined) throw new Error(`no tardis case was made for ${frames.exchange} ${frames.market}`)
    this.frames = frames.frames.map(([time, text]) => [new Date(time / 1e6), text])
    this.symbols = Object.keys(frames.symbols)
    this.prelude = frames.prelude.map(([time, text]) => [new Date(time / 1e6), text])
    this.seeds = frames.seeds.filter((seed) => this.symbols.includes(seed.symbol))
  }

  prepare() {
    this.mapper = NORMALIZERS[this.channel](this.exchange, this.frames[0][0])
    this.last = new Map()
    this.books = new Map()
    this.first = []
    if (this.channel === 'book') {
      for (const seed of this.seeds) {
        const message = { stream: `${seed.symbol.toLowerCase()}@depthSnapshot`, data: JSON.parse(seed.body) }
        for (const change of this.mapper.map(message, new Date(seed.time / 1e6))) this.first.push(change)
      }
      for (const [time, text] of this.prelude) {
        const message = JSON.parse(text)
        if (!this.mapper.canHandle(message)) continue
        for (const change of this.mapper.map(message, time)) this.first.push(change)
      }
    }
  }

  run() {
    let given = 0
    this.changes = []
    for (const [time, text] of this.frames) {
      const message = JSON.parse(text)
      if (!this.mapper.canHandle(message)) continue
      for (const thing of this.mapper.map(message, time)) {
        given++
        if (this.channel === 'book') this.changes.push(thing)
        else this.last.set(thing.symbol, thing)
      }
    }
    if (given < this.frames.length) throw new Error(`tardis gave ${given} messages for ${this.frames.length} frames`)
    return this.frames.length
  }

  evidence() {
    const found = {}
    if (this.channel === 'book') {
      // The mapper keeps no book; its changes are applied here, outside the timed part, to show that they are right.
      for (const change of [...this.first, ...this.changes]) {
        if (change.isSnapshot) this.books.set(change.symbol, { bids: new Map(), asks: new Map() })
        const book = this.books.get(change.symbol)
        for (const side of ['bids', 'asks']) {
          for (const { price, amount } of change[side]) {
            if (amount === 0) book[side].delete(price)
            else book[side].set(price, amount)
          }
        }
      }
      for (const [symbol, book] of this.books) {
        found[symbol] = [
          [...book.bids].sort((a, b) => b[0] - a[0]).slice(0, LEVELS),
          [...book.asks].sort((a, b) => a[0] - b[0]).slice(0, LEVELS)
        ]
      }
    } else {
      for (const [symbol, thing] of this.last) {
        if (this.channel === 'trade') found[symbol] = [thing.price, thing.amount]
        else found[symbol] = [thing.bidPrice, thing.bidAmount, thing.askPrice, thing.askAmount]
      }
    }
    return found
  }
}

// A round of fewer frames would be the warm-up of node's compiler and nothing else.
const LEAST_UNITS = 20000

function round(subject) {
  let ns = 0
  let units = 0
  for (let pass = 0; units < LEAST_UNITS && pass < 100; pass++) {
    subject.prepare()
    globalThis.gc()
    const start = process.hrtime.bigint()
    units += subject.run()
    ns += Number(process.hrtime.bigint() - start)
  }
  return { ns, units }
}

const subjects = []

function answer(request) {
  if ('open' in request) return { handle: subjects.push(new Mapper(request.open)) - 1 }
  if ('round' in request) {
    return round(subjects[request.round])
  }
  if ('evidence' in request) return { evidence: subjects[request.evidence].evidence() }
  subjects[request.close] = null
  return {}
}

const say = (thing) => process.stdout.write(JSON.stringify(thing) + '\n')
const { version } = JSON.parse(readFileSync(`${folder}/node_modules/tardis-dev/package.json`, 'utf8'))
say({ versions: { 'tardis-dev': version, node: process.version } })
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(answer(JSON.parse(line)))
  } catch (error) {
    say({ error: String(error.message ?? error) })
  }
}
