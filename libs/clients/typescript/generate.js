// Writes the TypeScript of the contracts to src/contracts, and a list of all of them: events are looked up in it by name.
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "src", "contracts");

execFileSync(join(here, "node_modules", ".bin", "buf"), ["generate"], { cwd: here, stdio: "inherit" });

const files = readdirSync(target, { recursive: true, encoding: "utf8" })
  .filter((name) => name.startsWith("ryggrad") && name.endsWith("_pb.ts"))
  .map((name) => name.slice(0, -"_pb.ts".length).replaceAll("\\", "/"))
  .sort();
const name = (file) => `file_${file.replace(/[^A-Za-z0-9]/g, "_")}`;
const imports = files.map((file) => `import { ${name(file)} } from "./${file}_pb.js";`);
const list = files.map((file) => `  ${name(file)},`);
writeFileSync(
  join(target, "index.ts"),
  `// Every contract, generated.\n${imports.join("\n")}\n\nexport const contracts = [\n${list.join("\n")}\n];\n`,
);
