import js from '@eslint/js'
import hooks from 'eslint-plugin-react-hooks'
import ts from 'typescript-eslint'

// Words that people read come from src/i18n.
const WORDS = [
  {
    selector: 'JSXText[value=/[A-Za-z\\u00C0-\\u017F]{2,}/]',
    message: 'Put the words into src/i18n and use t().',
  },
  {
    selector: 'JSXAttribute[name.name=/^(label|title|description|placeholder|aria-label|alt)$/] > Literal[value=/[A-Za-z]{2,}/]',
    message: 'Put the words into src/i18n and use t().',
  },
]

export default ts.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  hooks.configs.flat['recommended-latest'],
  {
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
    rules: {
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...WORDS],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
)
