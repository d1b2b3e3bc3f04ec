import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Credentials,
  CredentialsError,
  type CredentialTexts,
} from "../../lib/protocol/credentials.ts";
import { Authority, needsOpenssl } from "./authority.ts";

Deno.test({
  name: "credentials are for the hosts that their certificate names",
  ...needsOpenssl,
  fn: async () => {
    await using authority = await Authority.create();
    const hosts = ["IP:10.0.0.1", "IP:::1", "DNS:a.example", "DNS:*.b.example"];
    const credentials = await authority.credentials("a", hosts);
    for (const host of ["10.0.0.1", "::1", "a.example", "A.example", "x.b.example"]) {
      assert(credentials.isFor(host), host);
    }
    for (const host of ["10.0.0.2", "::2", "example", "x.a.example", "x.y.b.example", "1"]) {
      assert(!credentials.isFor(host), host);
    }
    assertEquals(new Credentials({ authority: authority.certificate }).isFor("10.0.0.1"), false);
    assert((credentials.validTo ?? new Date(0)) > new Date());
  },
});

Deno.test({
  name: "texts that cannot be used are refused, each with the reason",
  ...needsOpenssl,
  fn: async () => {
    await using own = await Authority.create();
    const { certificate, key } = await own.issue("a");
    const other = await own.issue("b");
    const expired = await own.issue("c", { days: -1 });
    const cases: [CredentialTexts, keyof CredentialTexts, string][] = [
      [{ certificate: "nonsense", key }, "certificate", "holds no certificate as PEM"],
      [{ certificate: key, key }, "certificate", "holds no certificate as PEM"],
      [{ certificate, key: "nonsense" }, "key", "holds no private key as PEM without a password"],
      [{ certificate, key: certificate }, "key", "holds no private key as PEM"],
      [{ certificate, key: other.key }, "key", "is not the key of the certificate"],
      [expired, "certificate", "expired on 20"],
      [{ authority: key }, "authority", "holds no certificate as PEM"],
      [{ authority: "" }, "authority", "holds no certificate as PEM"],
    ];
    for (const [texts, part, text] of cases) {
      const error = assertThrows(() => new Credentials(texts), CredentialsError, text);
      assert(error instanceof CredentialsError);
      assertEquals(error.part, part);
    }
    const early = Date.now() - 24 * 3_600_000;
    assertThrows(
      () => new Credentials({ certificate, key }, early),
      CredentialsError,
      "is not valid before 20",
    );
  },
});
