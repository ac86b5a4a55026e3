import { defineConfig } from 'vitest/config'
import { help } from './vite.config.ts'

export default defineConfig({
  plugins: [help()],
  test: { include: ['src/**/*.test.{ts,tsx}'], environment: 'node' },
})
