/** Version of Edgeverse, as an operator and the OpenAPI document see it. A test keeps it equal to `package.json`. */
export const VERSION = "0.1.0";
