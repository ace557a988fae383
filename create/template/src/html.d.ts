/** wrangler and the local host load these files as text. */
declare module "*.html" {
  const text: string;
  export default text;
}
