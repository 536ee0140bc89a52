// Copyright (c) 2026, leadops.dynamics365 contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// DynamicsWebApi signs in with @azure/identity and does what its users do; says on standard output which checks passed.
import assert from "node:assert/strict";
import { ClientSecretCredential } from "@azure/identity";
import { DynamicsWebApi } from "dynamics-web-api";

const { tenant, serverUrl, identity } = JSON.parse(process.env.EMULATOR);
const credential = new ClientSecretCredential(tenant.tenant_id, tenant.client_id, tenant.client_secret, identity);
const onTokenRefresh = async () => (await credential.getToken(`${serverUrl}.default`)).token;
const options = { serverUrl, dataApi: { version: "9.2" }, onTokenRefresh };
const api = new DynamicsWebApi(options);
const collection = "leads";

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "The request was not refused." });
}

const leads = async (filter) => (await api.retrieveMultiple({ collection, select: ["fullname"], filter, orderBy: ["fullname"] })).value.map((row) => row.fullname);

const checks = {
  async functions_and_actions() {
    const who = await api.callFunction("WhoAmI");
    assert.equal(who.OrganizationId, tenant.org_id);
    assert.match((await api.callFunction({ name: "RetrieveVersion" })).Version, /^9\.2\./);
    const unit = who.BusinessUnitId;
    const role = await api.create({ collection: "roles", data: { name: "Made by JavaScript", "businessunitid@odata.bind": `/businessunits(${unit})` } });
    const found = await api.retrieveMultiple({ collection: "privileges", select: ["name"], filter: "name eq 'prvReadLead'" });
    const privilege = { Depth: "Basic", PrivilegeId: found.value[0].privilegeid, BusinessUnitId: unit };
    await api.callAction({ collection: "roles", key: role, actionName: "Microsoft.Dynamics.CRM.AddPrivilegesRole", action: { Privileges: [privilege] } });
    const held = await api.callFunction({ name: "RetrieveRolePrivilegesRole", parameters: { RoleId: role } });
    assert.equal(held.RolePrivileges.find((one) => one.PrivilegeId === privilege.PrivilegeId).Depth, "Basic");
  },

  async create_read_update_delete() {
    const key = await api.create({ collection, data: { lastname: "O'Neil", subject: "test" } });
    await api.update({ collection, key, data: { firstname: "Ann" } });
    await api.updateSingleProperty({ collection, key, fieldValuePair: { companyname: "A & B" } });
    const select = ["fullname", "companyname"];
    const read = await api.retrieve({ collection, key, select, expand: [{ property: "owninguser", select: ["fullname"] }] });
    assert.deepEqual([read.fullname, read.companyname], ["Ann O'Neil", "A & B"]);
    assert.ok(read.owninguser.systemuserid);
    const changed = await api.update({ collection, key, data: { firstname: "Bob" }, returnRepresentation: true, select });
    assert.equal(changed.fullname, "Bob O'Neil");
    await api.deleteRecord({ collection, key, property: "companyname" });
    assert.equal((await api.retrieve({ collection, key, select })).companyname, null);
    assert.equal(await api.update({ collection, key, data: { firstname: "Eve" }, ifmatch: read["@odata.etag"] }), false);
    assert.equal(await api.deleteRecord({ collection, key }), true);
    const error = await refused(api.retrieve({ collection, key, select }));
    assert.deepEqual([error.status, error.code], [404, "0x80040217"]);
  },

  async upsert() {
    const key = "11111111-2222-4333-8444-555555555555";
    await api.upsert({ collection, key, data: { lastname: "First", subject: "test" } });
    await api.upsert({ collection, key, data: { lastname: "Second" } });
    assert.equal(await api.upsert({ collection, key, data: { lastname: "Third" }, ifnonematch: "*" }), null);
    assert.deepEqual(await leads(`leadid eq ${key}`), ["Second"]);
    await api.deleteRecord({ collection, key });
    assert.equal(await api.upsert({ collection, key, data: { lastname: "Gone" }, ifmatch: "*" }), null);
  },

  async pages() {
    for (const number of [1, 2, 3, 4, 5]) await api.create({ collection, data: { lastname: `Page ${number}`, subject: "pages" } });
    const filter = "subject eq 'pages'";
    const first = await api.retrieveMultiple({ collection, select: ["lastname"], filter, maxPageSize: 2, count: true });
    assert.deepEqual([first.value.length, first["@odata.count"]], [2, 5]);
    assert.equal((await api.retrieveMultiple({ collection, maxPageSize: 2 }, first.oDataNextLink)).value.length, 2);
    assert.equal((await api.retrieveAll({ collection, select: ["lastname"], filter, maxPageSize: 2 })).value.length, 5);
    assert.equal(await api.countAll({ collection, filter }), 5);
    const conditions = "<filter><condition attribute='subject' operator='eq' value='pages'/></filter>";
    const fetchXml = `<fetch count='2'><entity name='lead'><attribute name='lastname'/><order attribute='lastname' descending='true'/>${conditions}</entity></fetch>`;
    const page = await api.fetch({ collection, fetchXml, includeAnnotations: "*" });
    assert.deepEqual([page.value.map((row) => row.lastname), page.PagingInfo.nextPage], [["Page 5", "Page 4"], 2]);
    const next = await api.fetch({ collection, fetchXml, pageNumber: page.PagingInfo.nextPage, pagingCookie: page.PagingInfo.cookie });
    assert.deepEqual(next.value.map((row) => row.lastname), ["Page 3", "Page 2"]);
    const all = await api.fetchAll({ collection, fetchXml, includeAnnotations: "*" });
    assert.deepEqual(all.value.map((row) => row.lastname), ["Page 5", "Page 4", "Page 3", "Page 2", "Page 1"]);
  },

  async association() {
    const who = await api.callFunction("WhoAmI");
    const filter = `name eq 'Made by JavaScript' and _businessunitid_value eq ${who.BusinessUnitId}`;
    const relatedKey = (await api.retrieveMultiple({ collection: "roles", select: ["name"], filter })).value[0].roleid;
    const link = { collection: "systemusers", primaryKey: who.UserId, relationshipName: "systemuserroles_association", relatedKey };
    const held = async () => {
      const expand = [{ property: "systemuserroles_association", select: ["name"] }];
      const user = await api.retrieve({ collection: "systemusers", key: who.UserId, select: ["fullname"], expand });
      return user.systemuserroles_association.some((role) => role.roleid === relatedKey);
    };
    assert.equal(await held(), false);
    await api.associate({ ...link, relatedCollection: "roles" });
    assert.equal(await held(), true);
    await api.disassociate(link);
    assert.equal(await held(), false);
  },

  async batches() {
    api.startBatch();
    api.create({ collection, data: { lastname: "Changed", subject: "batch" }, contentId: "1" });
    api.update({ collection: "$1", data: { firstname: "Twice" } });
    const [key] = await api.executeBatch();
    assert.match(key, /^[0-9a-f-]{36}$/);
    assert.deepEqual(await leads("subject eq 'batch'"), ["Twice Changed"]);
    api.startBatch();
    api.retrieveMultiple({ collection, select: ["fullname"], filter: "subject eq 'batch'" });
    api.callFunction("WhoAmI");
    api.create({ collection, data: { lastname: "Outside", subject: "batch" }, inChangeSet: false });
    const [rows, who, made] = await api.executeBatch();
    assert.deepEqual([rows.value.length, who.OrganizationId, made.length], [1, tenant.org_id, 36]);
    api.startBatch();
    api.create({ collection, data: { lastname: "Never", subject: "batch" } });
    api.create({ collection, data: { no_such_column: "x" } });
    await refused(api.executeBatch());
    assert.deepEqual(await leads("subject eq 'batch'"), ["Outside", "Twice Changed"]);
  },

  async metadata() {
    const table = await api.retrieveEntity({ key: "LogicalName='lead'", select: ["EntitySetName"] });
    assert.equal(table.EntitySetName, collection);
    const castType = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata";
    const expand = [{ property: "OptionSet" }];
    const columns = await api.retrieveAttributes({ entityKey: "LogicalName='lead'", castType, select: ["LogicalName"], expand });
    const source = columns.value.find((column) => column.LogicalName === "leadsourcecode");
    assert.equal(source.OptionSet.Options.find((option) => option.Value === 8).Label.UserLocalizedLabel.Label, "Web");
    assert.match(await api.retrieveCsdlMetadata(), /<EntitySet Name="leads" EntityType="Microsoft\.Dynamics\.CRM\.lead"/);
    const byName = new DynamicsWebApi({ ...options, useEntityNames: true });
    assert.equal((await byName.retrieveMultiple({ collection: "lead", top: 1 })).value.length, 1);
  },
};

const failed = [];
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(name);
  } catch (error) {
    failed.push(name);
    console.error(name, error);
  }
}
process.exitCode = failed.length ? 1 : 0;
