/** Reproducible chance, and documents made by it. */
/** A small generator of reproducible numbers (mulberry32). */
export function randomOf(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    below: (n: number) => Math.floor(next() * n),
    chance: (p: number) => next() < p,
    of: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!,
  };
}
export type Random = ReturnType<typeof randomOf>;

/** A random document of the language, well-formed and accepted. */
export function randomDocument(random: Random): string {
  const verb = (depth: number): string => {
    const simple = [
      '<Say>hello</Say>',
      '<Play>http://127.0.0.1/a.wav</Play>',
      '<Pause length="500" dtmf_stop="5"/>',
      '<Answer/>',
      '<Say loop="0">again</Say>',
      '<Record tag="r"/>',
      '<Play record="r"/>',
      '<Callback url="http://127.0.0.1/c"/>',
      '<Hangup/>',
      '<Reject/>',
      '<Redirect>http://127.0.0.1/r</Redirect>',
      '<Tone leg="both" loop="0" timeout="3000"/>',
      '<Tone don="100" doff="100"><Meta name="m" value="7"/></Tone>',
      '<Play leg="bleg">http://127.0.0.1/b.wav</Play>',
      '<Hold timeout="20000"/>',
      '<Hold timeout="9000"><Say>wait</Say><Pause/></Hold>',
      '<Unhold/>',
      '<RecordStart tag="s" asr="true"/>',
      '<RecordStop tag="s"/>',
      '<RecordWait timeout="4000"/>',
      '<Record tag="t" asr="true"/>',
      '<Meta name="n" value="x"/>',
      '<Curl url="http://127.0.0.1/j" tag="j"/>',
    ];
    if (depth === 0 || random.chance(0.4)) return random.of(simple);
    const block = () => verbs(depth - 1);
    return random.of([
      () =>
        `<Gather numDigits="${1 + random.below(3)}" attempts="${1 + random.below(2)}" timeout="5000"><Say>press</Say><Switch><Case dtmf="1">${block()}</Case><Default>${block()}</Default><Error>${block()}</Error></Switch></Gather>`,
      () => `<Gather url="http://127.0.0.1/g" dtmf_stop="#"><Error>${block()}</Error></Gather>`,
      () =>
        `<Dial timeout="${5 + random.below(20)}"><Sip>a@127.0.0.1:9</Sip>${random.chance(0.5) ? '<Sip>b@127.0.0.1:9</Sip>' : ''}<Error>${block()}</Error></Dial>`,
      () => `<Record tag="b">${block()}</Record>`,
      () => `<Call field="meta.n" value="x">${block()}</Call>`,
      () => `<Geo states="NY">${block()}</Geo>`,
      () => `<Schedule dow="thu" time="00:00:00-12:00:00">${block()}</Schedule>`,
      () =>
        `<Dial hangup_on_bye="true"><Group>7d9a3c1e-8f20-4d53-9a11-5d0e2f4b6c70</Group>${random.chance(0.5) ? '<Sip>c@127.0.0.1:9</Sip>' : ''}</Dial>`,
      () => `<Curl url="http://127.0.0.1/j" method="POST"><Error>${block()}</Error></Curl>`,
      () => `<Callback url="http://127.0.0.1/c"><Error>${block()}</Error></Callback>`,
    ])();
  };
  const verbs = (depth: number): string => Array.from({ length: random.below(4) }, () => verb(depth)).join('');
  return `<Response>${verbs(3)}${random.chance(0.3) ? '<Error><Say>sorry</Say></Error>' : ''}</Response>`;
}
