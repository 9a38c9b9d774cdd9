// Until docs/openapi.json has the route; then remove this file.
import "../../api-types";

declare module "../../api-types" {
  interface paths {
    "/admin/partners/{partnerId}/link": {
      post: {
        parameters: { path: { partnerId: string } };
        responses: { 201: { content: { "application/json": { url: string; expiresAt: string } } } };
      };
    };
  }
}
