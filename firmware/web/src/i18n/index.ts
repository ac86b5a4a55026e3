// The language of the page: the browser's at first, then what was chosen here.
import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'
import type en from './en.json'

export const LANGUAGES = ['en', 'cs'] as const
export type Language = (typeof LANGUAGES)[number]

const KEPT = 'language'

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en }
    returnNull: false
  }
}

const load = {
  en: () => import('./en.json'),
  cs: () => import('./cs.json'),
}

function isLanguage(text: string | null | undefined): text is Language {
  return LANGUAGES.some((language) => language === text)
}

/** The language of somebody who hasn't chosen one. */
export function preferred(wanted: readonly string[], kept: string | null): Language {
  if (isLanguage(kept)) return kept
  // Who reads Slovak reads Czech sooner than English.
  const bases = wanted.map((tag) => tag.split('-')[0]).map((base) => (base === 'sk' ? 'cs' : base))
  return bases.find(isLanguage) ?? 'en'
}

export async function startI18n() {
  const language = preferred(navigator.languages, localStorage.getItem(KEPT))
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { [language]: { translation: (await load[language]()).default } },
    interpolation: { escapeValue: false },
  })
  document.documentElement.lang = language
}

/** Takes the language of an account, unless another was chosen in this browser. */
export async function adoptLanguage(language: Language) {
  if (!localStorage.getItem(KEPT)) await show(language)
}

export async function setLanguage(language: Language) {
  localStorage.setItem(KEPT, language)
  await show(language)
}

async function show(language: Language) {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', (await load[language]()).default)
  }
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
}

export function language(): Language {
  return isLanguage(i18next.language) ? i18next.language : 'en'
}
