import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Secret,
  SecretError,
  secretLengthMax,
  secretLengthMin,
} from "../../lib/protocol/secret.ts";

Deno.test("a generated secret is long, random, and can be used", () => {
  const secrets = Array.from({ length: 100 }, () => Secret.generate());
  assertEquals(new Set(secrets).size, 100);
  for (const text of secrets) {
    assertEquals(/^[\w-]{43}$/.test(text), true, text);
    assert(new Secret(text).is(text));
  }
});

Deno.test("a secret has visible ASCII characters, neither too few nor too many", () => {
  new Secret("x".repeat(secretLengthMin));
  new Secret("x".repeat(secretLengthMax));
  for (
    const [text, reason] of [
      ["x".repeat(secretLengthMin - 1), "has 15 characters, and needs 16"],
      ["x".repeat(secretLengthMax + 1), "has more than 1024 characters"],
      ["two words that are long", "has spaces"],
      ["line\nline of a secret", "line ends"],
      ["gr\u00fc\u00dfe gr\u00fc\u00dfe gr\u00fc\u00dfe", "not ASCII"],
    ] as const
  ) assertThrows(() => new Secret(text), SecretError, reason);
});

Deno.test("a proof holds for its secret, its purpose and its facts, and for nothing else", () => {
  const [one, other] = [new Secret("a".repeat(16)), new Secret("b".repeat(16))];
  const proof = one.prove("a", ["b", "c"]);
  assert(one.verifies(proof, "a", ["b", "c"]));
  assert(!other.verifies(proof, "a", ["b", "c"]));
  assert(!one.verifies(proof, "b", ["b", "c"]));
  for (const facts of [["c", "b"], ["b"], ["b", "c", ""], ["bc"], ["b,c"], []]) {
    assert(!one.verifies(proof, "a", facts), facts.join("|"));
  }
  for (const text of ["", proof.slice(1), `${proof}0`, proof.toUpperCase()]) {
    assert(!one.verifies(text, "a", ["b", "c"]), text);
  }
});

Deno.test("a proof is the HMAC-SHA-256 of its facts, as other programs compute it", () => {
  // printf '["ring listener","1","2"]' | openssl dgst -sha256 -hmac 0123456789abcdef
  assertEquals(
    new Secret("0123456789abcdef").prove("ring listener", ["1", "2"]),
    "be642e72836d25311c294a8dc3336983764655ed0a4f7d671780437e54ae882c",
  );
});

Deno.test("nothing prints a secret", () => {
  const text = "very-secret-indeed";
  const secret = new Secret(text);
  for (const shown of [`${secret}`, JSON.stringify({ secret }), Deno.inspect(secret)]) {
    assert(!shown.includes(text), shown);
  }
});
