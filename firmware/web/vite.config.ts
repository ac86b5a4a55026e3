import { readFileSync } from 'node:fs'
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
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (/\.(woff2|png)$/.test(file.fileName)) continue
        const source = file.type === 'chunk' ? file.code : file.source
        if (source.length < small) continue
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.br`, source: brotliCompressSync(source) })
        this.emitFile({ type: 'asset', fileName: `${file.fileName}.gz`, source: gzipSync(source, { level: 9 }) })
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
