import { defineConfig } from 'vitest/config'

// One browser and one exchange at a time: there are two cores, and pbxd has its ports.
export default defineConfig({
  test: {
    include: ['browser/**/*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
})
