/**
 * The bill of materials: what an executable carries, with versions and licences, as SPDX 2.3.
 *
 * @see https://spdx.github.io/spdx-spec/v2.3/
 */
import { ROOT } from "../source.ts";
import { deno } from "./bundle.ts";

/** Something of others that an executable carries. */
export interface Part {
  name: string;
  version: string;
  /** An SPDX licence expression. */
  license: string;
  /** A package URL: "pkg:npm/fzstd@0.1.1". */
  purl: string;
}

/** What the executable says of itself. */
export interface Whole {
  version: string;
  architecture: string;
  /** sha256 of the executable, in hex. */
  sha256: string;
  /** When it was made, as far as that may be told: seconds since 1970. */
  createdSeconds: number;
}

/** The bill as JSON, with a newline at its end. */
export function bill(
  { version, architecture, sha256, createdSeconds }: Whole,
  parts: Part[],
): string {
  const created = new Date(createdSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  const id = (name: string) => `SPDXRef-${name.replaceAll(/[^A-Za-z0-9.-]/g, "-")}`;
  const whole = {
    SPDXID: id("minictr"),
    name: "minictr",
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    licenseDeclared: "NOASSERTION",
    copyrightText: "NOASSERTION",
    checksums: [{ algorithm: "SHA256", checksumValue: sha256 }],
  };
  const carried = parts.map(({ name, version, license, purl }) => ({
    SPDXID: id(name),
    name,
    versionInfo: version,
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: license,
    licenseDeclared: license,
    copyrightText: "NOASSERTION",
    externalRefs: [{
      referenceCategory: "PACKAGE-MANAGER",
      referenceType: "purl",
      referenceLocator: purl,
    }],
  }));
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `minictr-${version}-${architecture}`,
    documentNamespace: `https://minictr.invalid/spdx/${sha256}`,
    creationInfo: { created, creators: ["Tool: minictr-build"] },
    packages: [whole, ...carried],
    relationships: [
      relationship("SPDXRef-DOCUMENT", "DESCRIBES", whole.SPDXID),
      ...carried.map(({ SPDXID }) => relationship(whole.SPDXID, "CONTAINS", SPDXID)),
    ],
  };
  return JSON.stringify(document, null, 2) + "\n";
}

function relationship(spdxElementId: string, relationshipType: string, relatedSpdxElement: string) {
  return { spdxElementId, relationshipType, relatedSpdxElement };
}

/** Deno and the engine in it; V8's version is known of the Deno that runs this. */
export function denoParts(version: string): Part[] {
  const parts = [{
    name: "deno",
    version,
    license: "MIT",
    purl: `pkg:github/denoland/deno@v${version}`,
  }];
  if (version !== Deno.version.deno) return parts;
  const v8 = Deno.version.v8.replace(/-rusty$/, "");
  const license = "BSD-3-Clause";
  return [...parts, { name: "v8", version: v8, license, purl: `pkg:generic/v8@${v8}` }];
}

/** The busybox of the built-in root filesystem. */
export function busyboxPart(version: string): Part {
  const license = "GPL-2.0-only";
  return { name: "busybox", version, license, purl: `pkg:generic/busybox@${version}` };
}

/** The packages of the npm registry that main.ts leads to, as `deno info` sees them. */
export async function npmParts(): Promise<Part[]> {
  const report: { npmPackages?: Record<string, NpmPackage> } = JSON.parse(
    await deno(["info", "--json", "--no-lock", `${ROOT}main.ts`], "piped"),
  );
  return Object.values(report.npmPackages ?? {}).map(({ name, version, localPath }) => {
    const { license = "NOASSERTION" }: { license?: string } = JSON.parse(
      Deno.readTextFileSync(`${localPath}/package.json`),
    );
    const path = name.replace(/^@/, "%40");
    return { name, version, license, purl: `pkg:npm/${path}@${version}` };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The part of `deno info --json` that is read here. */
interface NpmPackage {
  name: string;
  version: string;
  localPath: string;
}
