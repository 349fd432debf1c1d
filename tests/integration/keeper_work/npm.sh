# npm's own work, offline: packing, caching, unpacking, links of programs, moving trees into place.
set -e
export npm_config_cache="$PWD/cache" npm_config_offline=true npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
cp -R ../packages packages
cd packages/application
npm install --install-links --loglevel=error > /dev/null
find node_modules | LC_ALL=C sort > ../listed
node -e 'console.log(require("package-0")())' > ../said
npm run --silent tool > ../tool
npm uninstall --install-links --loglevel=error package-3 > /dev/null
npm install --install-links --loglevel=error ../package-3 > /dev/null
cd ../..
rm -rf cache
