import globals from "globals";

export default [
  {
    files: ["**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      "no-undef": "error", "no-unused-vars": "error", "no-shadow": "error", "prefer-const": "error", eqeqeq: "error",
      "no-var": "error", "no-implied-eval": "error", "no-eval": "error",
    },
  },
];
