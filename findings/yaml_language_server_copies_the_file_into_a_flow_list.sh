#!/bin/sh
# yaml-language-server 1.25.0 (the server of VS Code's YAML extension): accepting a completion inside a flow list writes a copy of the
# file into it, from the last dash in the text above on, wherever that is: in a comment, in a word. The schema is an ordinary
# "name or {name: {argument: value}}". And inside of `{}` on a line with a colon no key is offered, while one letter is enough to
# get all. Seen 2026-12-01 with node 20.20.2. (The server takes the dash of a block list to be behind the indentation that it needs;
# in yamlCompletion.js, `sourceText.lastIndexOf('-', ...)`.)
#
# What it costs whoever writes a schema for lists like [bn, relu, conv: {stride: 2}]: keys with mappings below them have to be hidden
# (`doNotSuggest`) and offered as snippets (`defaultSnippets` with `bodyText`), as arch_specs/schemas do.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' > package.json
npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent yaml-language-server@1.25.0
cat > try.cjs <<'JS'
const assert = require("assert")
const { getLanguageService } = require("yaml-language-server")
const { TextDocument } = require("vscode-languageserver-textdocument")
const { version } = require("./node_modules/yaml-language-server/package.json")
const conv = { type: "object", properties: { stride: { type: "integer", default: 1 }, groups: { type: "integer", default: 1 } } }
const op = { if: { type: "object" }, then: { type: "object", properties: { conv } }, else: { enum: ["bn", "relu"] } }
const schema = { type: "object", properties: { ops: { type: "array", items: op } } }
const yamlSettings = { documents: {}, yamlFormatterSettings: {} }
const service = getLanguageService({
  schemaRequestService: () => Promise.reject("no schema is asked for"),
  workspaceContext: { resolveRelativePath: (path) => path },
  yamlSettings,
})
service.configure({ completion: true, validate: true, hover: true, schemas: [{ uri: "file:///s.json", fileMatch: ["*.yaml"], schema }] })
async function complete(marked, n) {
  const [before, after] = marked.split("¦")
  const document = TextDocument.create(`file:///${n}.yaml`, "yaml", 1, before + after)
  return (await service.doComplete(document, document.positionAt(before.length), false)).items
}
async function main() {
  const items = await complete("# a well-known file\nops: [bn, on¦]\n", 1)
  const item = items.find((item) => item.label === "conv")
  console.log("yaml-language-server", version)
  console.log("`ops: [bn, on¦]`, accepting conv inserts", JSON.stringify(item.insertText))
  const empty = await complete("ops: [conv: {¦}]\n", 2)
  const letter = await complete("ops: [conv: {s¦}]\n", 3)
  console.log("`{¦}`:", empty.map((item) => item.label), " `{s¦}`:", letter.map((item) => item.label))
  assert(item.insertText.includes("known file\nops: [bn,"), "it copies the file no more")
  assert.deepStrictEqual(empty.map((item) => item.label), [])
  assert.deepStrictEqual(letter.map((item) => item.label), ["stride", "groups"])
}
main().catch((error) => { console.error(error); process.exit(1) })
JS
node try.cjs
