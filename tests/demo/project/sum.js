const fs = require("node:fs");
const bytes = fs.readdirSync(".").filter(name => fs.statSync(name).isFile()).map(name => fs.statSync(name).size);
console.log(`node ${process.version}: ${bytes.length} files of ${bytes.reduce((a, b) => a + b, 0)} bytes`);
