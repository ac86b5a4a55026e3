import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { marked } from 'marked'
import { defineConfig, type Plugin } from 'vite'

/** Help texts are turned into HTML when the pages are built, so that no browser needs a parser. */
export function help(): Plugin {
  return {
    name: 'help',
    transform(_, id) {
      if (!id.endsWith('.md')) return null
      const html = marked.parse(readFileSync(id, 'utf8'), { async: false })
      return { code: `export default ${JSON.stringify(html)}`, map: null, moduleType: 'js' }
    },
  }
}

/** Packed forms beside each file: the box sends them as they are. */
function packed(): Plugin {
  const small = 1024
  return {
    name: 'packed',
    apply: 'build',
    // Not sooner: up to then names of files are still put into scripts.
    writeBundle({ dir = 'dist' }, bundle) {
      for (const name of Object.keys(bundle)) {
        const source = readFileSync(join(dir, name))
        if (/\.(woff2|png|map)$/.test(name) || source.length < small) continue
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(source))
        writeFileSync(join(dir, `${name}.gz`), gzipSync(source, { level: 9 }))
      }
    },
  }
}

// `OPERATOR=https://127.0.0.1:4021 npm run dev` works with a running exchange.
const operator = process.env.OPERATOR ?? 'https://127.0.0.1:4021'

export default defineConfig({
  base: '/admin/',
  plugins: [react(), help(), packed()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': { target: operator, changeOrigin: true, secure: false } } },
})
