// Runs modules in V8 for compiler_fuzzer: reads plans, a line of JSON each (plan.cc), and answers
// each with a transcript (transcript.h) and a line "end".
//
// Works on node 18 and newer. A number that cannot be passed as JavaScript has it comes as bits in
// integers (instrument.h).
import {createHash} from 'node:crypto';
import {readFileSync, writeSync} from 'node:fs';
import {createInterface} from 'node:readline';

// As much of a memory as nur's side hashes (native_run.cc).
const HASHED_BYTES_MAX = 64 << 20;
const HOST_REFERENCE = {};

const hex = (bits, digits) => BigInt.asUintN(digits * 4, BigInt(bits)).toString(16).padStart(digits, '0');

// Words for lowered values of the types that `letters` name; takes from the front of `lowered`.
function toWords(letters, lowered) {
  let at = 0;
  return [...letters].map((letter) => {
    switch (letter) {
      case 'i':
      case 'f':
        return letter + hex(lowered[at++], 8);
      case 'I':
      case 'F':
        return letter + hex(lowered[at++], 16);
      case 'v': {
        const low = lowered[at++];
        return letter + hex(lowered[at++], 16) + hex(low, 16);
      }
      default:
        return 'r' + lowered[at++];
    }
  });
}

// Lowered arguments for words.
function fromWords(words) {
  return words.flatMap((word) => {
    const digits = word.slice(1);
    switch (word[0]) {
      case 'i':
      case 'f':
        return [parseInt(digits, 16) | 0];
      case 'I':
      case 'F':
        return [BigInt.asIntN(64, BigInt('0x' + digits))];
      case 'v':
        return [digits.slice(16), digits.slice(0, 16)].map((half) => BigInt.asIntN(64, BigInt('0x' + half)));
      default:
        return [];
    }
  });
}

function argumentsOf(letters, words) {
  return words.flatMap((word, i) => {
    if (letters[i] === 'r') return [];
    if (letters[i] === 'e') return [word === 'r1' ? null : HOST_REFERENCE];
    return fromWords([word]);
  });
}

const listOf = (result) => (result === undefined ? [] : Array.isArray(result) ? result : [result]);

function runPlan(plan, say) {
  const bytes = readFileSync(plan.file);
  let module;
  try {
    module = new WebAssembly.Module(bytes);
  } catch (error) {
    say(`refused ${String(error.message).replaceAll('\n', ' ')}`);
    return;
  }
  const imports = {};
  WebAssembly.Module.imports(module).forEach((wanted, i) => {
    imports[wanted.module] ??= Object.create(null);
    imports[wanted.module][wanted.name] = (...lowered) => {
      say(['log', i, ...toWords(plan.imports[i], lowered)].join(' '));
    };
  });

  const describeState = (exports) => {
    const words = plan.globals.map(([name, letter]) => toWords(letter, listOf(exports[name]()))[0]);
    if (plan.memory === null) return ['state', 0, '-', ...words].join(' ');
    const buffer = exports[plan.memory].buffer;
    const hashed = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, HASHED_BYTES_MAX));
    const digest = createHash('sha256').update(hashed).digest('hex');
    return ['state', buffer.byteLength / 65536, digest, ...words].join(' ');
  };

  // Whether it returned. Anything but a trap or a stack overflow ends as an unknown trap, which
  // agrees with nothing.
  const observe = (action) => {
    try {
      say(['return', ...action()].join(' '));
      return true;
    } catch (error) {
      const known = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
      const text = String(error && error.message).replaceAll('\n', ' ');
      say(`trap ${known ? text : `unexpected ${error && error.name}: ${text}`}`);
      return false;
    }
  };

  if (!plan.start) {
    try {
      new WebAssembly.Instance(module, imports);
    } catch (error) {
      say(`uninstantiable ${String(error.message).replaceAll('\n', ' ')}`);
      return;
    }
  }
  for (const group of plan.groups) {
    say('group');
    let exports = null;
    for (const [number, words] of group) {
      if (exports === null) {
        const make = () => {
          exports = new WebAssembly.Instance(module, imports).exports;
          return [];
        };
        if (plan.start) {
          say('start');
          if (!observe(make)) break;
          say(describeState(exports));
        } else {
          make();
        }
      }
      const [name, parameters, results] = plan.exports[number];
      say(['call', number, ...words].join(' '));
      const returned = observe(() => {
        if (plan.hangLimiter !== null) exports[plan.hangLimiter]();
        return toWords(results, listOf(exports[name](...argumentsOf(parameters, words))));
      });
      if (returned) {
        say(describeState(exports));
      } else {
        exports = null;
      }
    }
  }
}

for await (const line of createInterface({input: process.stdin})) {
  let lines = [];
  const flush = () => {
    let text = Buffer.from(lines.map((each) => each + '\n').join(''));
    lines = [];
    while (text.length > 0) {
      try {
        text = text.subarray(writeSync(1, text));
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  };
  try {
    runPlan(JSON.parse(line), (text) => {
      lines.push(text);
      // What a call that never ends had done before is seen, too.
      if (lines.length > 200 || text.startsWith('call ')) flush();
    });
  } catch (error) {
    lines.push(`broken ${String(error && error.stack).replaceAll('\n', ' ')}`);
  }
  lines.push('end');
  flush();
  // Instances keep much address space each; their garbage is not left for later.
  globalThis.gc?.();
}
